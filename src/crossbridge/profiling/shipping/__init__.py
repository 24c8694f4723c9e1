"""How segments get into a database: read, followed, carried, acknowledged. For the shipper and `crossbridge ingest`.

Never imported in a test process.
"""
