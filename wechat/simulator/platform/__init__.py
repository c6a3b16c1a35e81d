"""WeChat's servers, simulated: tokens, menus, messages and quotas of an account, and followers that see its menu."""
