"""From the vendor's ticket to images on disk: all of it free and repeatable."""
