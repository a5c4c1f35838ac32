"""Other services' URL languages, served: ``/imgproxy/…``, ``/thumbor/…``, ``/dit/…``, ``/cdn-cgi/image/…``.

What their URLs say is read by :mod:`darkroom.dialects`; here is decided who may ask for it, which variant a viewer
gets, and for how long it may be kept. IIIF has a service of its own, :mod:`darkroom.dialects.serving.iiif`.
"""
