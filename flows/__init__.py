"""Deployable flows that read like the picture, the command line, and `up`."""
