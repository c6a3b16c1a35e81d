"""Celery: the tasks, and what they do."""
