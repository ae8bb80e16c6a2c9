"""Tiles: seams seen and removed, sets of corners that fit."""
