"""Dashboards and alert rules as code, and their ways into Grafana."""
