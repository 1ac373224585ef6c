"""Sensor data: fitting the projection, and recordings made by code."""
