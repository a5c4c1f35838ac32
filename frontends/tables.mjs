// Written by `make docs` from darkroom.plan. A test finds it stale.

/** Widths in px that need no signature. */
export const LADDER = [320, 480, 640, 800, 960, 1280, 1536, 1920, 2560, 3840];

/** Options by their short and long names. */
export const OPTION_NAMES = {"w": "width", "h": "height", "dpr": "pixel-ratio", "up": "upscale", "fit": "fit", "g": "gravity", "crop": "crop", "rot": "rotate", "flip": "flip", "trim": "trim", "pad": "padding", "bg": "background", "radius": "radius", "blur": "blur", "sharp": "sharpen", "denoise": "denoise", "equalise": "equalise", "bri": "brightness", "con": "contrast", "sat": "saturation", "gam": "gamma", "gray": "grayscale", "wm": "watermark", "cutout": "cutout", "enh": "enh", "wb": "wb", "ov": "overlays", "redact": "redact", "f": "format", "q": "quality", "anim": "animate", "page": "page", "boxes": "boxes", "meta": "meta", "preset": "preset", "dl": "download", "exp": "expires", "s": "signature"};

/** Options of each preset. */
export const PRESETS = {"w320": {"w": "320", "f": "webp"}, "w640": {"w": "640", "f": "webp"}, "w960": {"w": "960", "f": "webp"}, "w1280": {"w": "1280", "f": "webp"}, "w1920": {"w": "1920", "f": "webp"}, "cover": {"w": "256", "h": "256", "fit": "cover", "g": "attention", "f": "webp"}, "social": {"w": "1200", "h": "630", "fit": "cover", "g": "attention", "f": "jpeg"}};

/** Media types of uploads by file extension. */
export const MEDIA_TYPES = {"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp", "gif": "image/gif", "avif": "image/avif", "heic": "image/heic", "heif": "image/heif", "tif": "image/tiff", "tiff": "image/tiff", "svg": "image/svg+xml"};
