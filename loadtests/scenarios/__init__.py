"""What locust's users do. Imported by locustfile.py only: locust brings gevent, which changes the whole process."""
