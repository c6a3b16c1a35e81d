"""WeChat, simulated: a pusher that behaves towards a server as the platform does, for tests, demos and load."""
