"""IIIF Image API 3.0: ``/iiif/3/{identifier}/{region}/{size}/{rotation}/{quality}.{format}``, and ``…/info.json``.

Read by :mod:`.reading` into words, which :mod:`.picture` turns into pixels once the size of the picture is known, and
those into a Plan. :mod:`.grid` is what needs no permission: the sizes and tiles that ``info.json`` lists
(:mod:`.information`). Section numbers are those of https://iiif.io/api/image/3.0/.
"""
