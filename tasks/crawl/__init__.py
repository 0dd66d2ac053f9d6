"""Crawl: from live sites, archives, files, data sets and this Python to documents."""
