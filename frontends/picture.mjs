/**
 * HTML of a picture. `img` is the form to prefer: with `f=auto`, which is what no format means, each viewer gets the best
 * format it accepts at one URL. `picture` is for art direction, and for pages whose CDN cannot tell viewers apart.
 *
 * @typedef {{base?: string, key: string, alt: string, width: number, height: number, sizes?: string, loading?: 'lazy' |
 *   'eager', description?: Description}} Shown  `width` and `height` of the upright source in px; `f=json` has them.
 * @typedef {{animated?: boolean, dominant?: string, thumbhash?: string, colour?: {alpha?: boolean}}} Description  Of `f=json`.
 * @typedef {{media: string, preset: string, key?: string}} Directed  Another cut, or another picture, where `media` holds.
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
 * `<img srcset>` over the ladder, for whatever format the viewer accepts.
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

/** The colour that stands where the picture will; none behind transparency, where it would stay. */
const background = ({ dominant, colour }) =>
    COLOUR.test(dominant ?? '') && !colour?.alpha ? `background-color:${dominant}` : undefined;

/**
 * `<picture>` with a source for each cut and each format, and `<img>` for all others.
 *
 * @param {Shown} shown
 * @param {{directed?: Directed[], formats?: string[]}} [more]  `formats` from the best to the one that everybody knows.
 *   By default those that can show the picture: an animation, and transparency, need other ones than a photograph.
 */
export function picture(shown, { directed = [], formats = formatsFor(shown.description ?? {}) } = {}) {
    const { base = '', key, width, sizes = '100vw' } = shown;
    const cuts = directed.map(cut => element('source', cutOf(base, key, cut)));
    const offered = formats.slice(0, -1).map(format =>
        element('source', { type: `image/${format}`, srcset: srcset(base, key, width, { format }), sizes }));
    return `<picture>${[...cuts, ...offered].join('')}${img(shown, { format: formats[formats.length - 1] })}</picture>`;
}

/** An AVIF of ours does not move, and a JPEG is not transparent. */
const formatsFor = ({ animated, colour }) =>
    animated ? ['webp', 'gif'] : colour?.alpha ? ['avif', 'webp', 'png'] : ['avif', 'webp', 'jpeg'];

/** A preset's source; its size, where a preset has one, keeps the page from jumping. */
function cutOf(base, key, { media, preset, key: other }) {
    const { w, h, fit } = PRESETS[preset] ?? {};
    const size = fit === 'cover' ? { width: w, height: h } : {};
    return { media, srcset: darkroomUrl(base, other ?? key, { preset }), ...size };
}
