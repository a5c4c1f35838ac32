/**
 * HTML of an image. Prefer `img`: with `f=auto`, the default format, each viewer gets the best format that it accepts at
 * one URL. `picture` is for art direction, and for CDNs that cannot vary by viewer.
 *
 * @typedef {{base?: string, key: string, alt: string, width: number, height: number, sizes?: string, loading?: 'lazy' |
 *   'eager', description?: Description}} Shown  `width` and `height` of the upright source in px; `f=json` has them.
 * @typedef {{animated?: boolean, dominant?: string, thumbhash?: string, colour?: {alpha?: boolean}}} Description  Of `f=json`.
 * @typedef {{media: string, preset: string, key?: string}} Directed  Another crop, or another image, if `media` matches.
 */
import { darkroomUrl, offeredWidths, PRESETS, srcset, widthUrl } from './darkroom.mjs';

const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const COLOUR = /^#[0-9a-f]{6}$/;
const USUAL_WIDTH_PX = 1280;

const escaped = text => String(text).replace(/[&<>"]/g, one => ESCAPES[one]);

const element = (name, attributes) =>
    `<${name}${Object.entries(attributes)
        .filter(([, value]) => value !== undefined)
        .map(([attribute, value]) => ` ${attribute}="${escaped(value)}"`)
        .join('')}>`;

/**
 * Return `<img srcset>` over the ladder, in the best format that the viewer accepts.
 *
 * @param {Shown} shown
 * @param {{format?: string}} [more]  A format for all viewers.
 */
export function img(shown, more = {}) {
    const { base = '', key, alt, width, height, sizes = '100vw', loading = 'lazy', description = {} } = shown;
    const usual = offeredWidths(width).map(([step]) => step).filter(step => step <= USUAL_WIDTH_PX).pop();
    return element('img', {
        src: widthUrl(base, key, usual, more),
        srcset: srcset(base, key, width, more),
        sizes,
        alt,
        width,
        height,
        loading,
        decoding: 'async',
        style: background(description),
        'data-thumbhash': description.thumbhash,
    });
}

/** The placeholder colour; none for transparent images, behind which it would remain visible. */
const background = ({ dominant, colour }) =>
    COLOUR.test(dominant ?? '') && !colour?.alpha ? `background-color:${dominant}` : undefined;

/**
 * Return `<picture>` with a source for each crop and format, and `<img>` for all other viewers.
 *
 * @param {Shown} shown
 * @param {{directed?: Directed[], formats?: string[]}} [more]  `formats` from the best to one that every viewer supports.
 *   By default those that can represent the image: animation and transparency exclude some.
 */
export function picture(shown, { directed = [], formats = formatsFor(shown.description ?? {}) } = {}) {
    const { base = '', key, width, sizes = '100vw' } = shown;
    const cuts = directed.map(cut => element('source', cutOf(base, key, cut)));
    const offered = formats.slice(0, -1).map(format =>
        element('source', { type: `image/${format}`, srcset: srcset(base, key, width, { format }), sizes }));
    return `<picture>${[...cuts, ...offered].join('')}${img(shown, { format: formats[formats.length - 1] })}</picture>`;
}

/** Darkroom's AVIF is not animated, and JPEG is not transparent. */
const formatsFor = ({ animated, colour }) =>
    animated ? ['webp', 'gif'] : colour?.alpha ? ['avif', 'webp', 'png'] : ['avif', 'webp', 'jpeg'];

/** Return a preset's source; its size, if a preset has one, prevents layout shifts. */
function cutOf(base, key, { media, preset, key: other }) {
    const { w, h, fit } = PRESETS[preset] ?? {};
    const size = fit === 'cover' ? { width: w, height: h } : {};
    return { media, srcset: darkroomUrl(base, other ?? key, { preset }), ...size };
}
