"""What WeChat says and accepts; pure: no Flask, no Celery, no SQLAlchemy (the simulator alone may serve)."""
