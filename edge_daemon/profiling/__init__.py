"""Measures what each tier costs on this device."""
