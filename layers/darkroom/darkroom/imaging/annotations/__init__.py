"""What a picture's file says about it: EXIF, XMP and IPTC-IIM, found and read without trust."""
