"""Dashboards and alert rules as code, and their ways into Grafana."""

DATASOURCE_TYPE = "grafana-postgresql-datasource"
