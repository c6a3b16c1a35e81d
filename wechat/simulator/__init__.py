"""A WeChat to develop against."""
