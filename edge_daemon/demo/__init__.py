"""The demo: an embedded clip (made by tools/make_clip.py) under a scripted resource trace."""
