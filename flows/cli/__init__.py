"""The commands of `crawl2chat`; each imports its machinery when it runs, so that help is quick."""
