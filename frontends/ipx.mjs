/**
 * Convert URLs of ipx (versions 1 to 3: `/_ipx/w_200,f_webp/photo.jpg`), as Nuxt builds them, to Darkroom's.
 *
 * A modifier without a counterpart is an error. docs/guides/frontends.md has the table.
 */
import { darkroomUrl, keyOf, widthUrl } from './darkroom.mjs';

/** Create a table without inherited names: modifiers and values are from URLs. */
const table = rows => Object.assign(Object.create(null), rows);

const FITS = table({ contain: 'letterbox', cover: 'cover', fill: 'fill', inside: 'contain' });
const SHORT = table({ width: 'w', height: 'h', resize: 's', position: 'pos', quality: 'q', background: 'b', format: 'f', crop: 'extract', a: 'animated' });
const SIDES = table({ centre: 'center', top: 'north', bottom: 'south', left: 'west', right: 'east' });
const CORNERS = table({ 'right top': 'northeast', 'right bottom': 'southeast', 'left bottom': 'southwest', 'left top': 'northwest' });
const HEX = /^#?([\da-f]{3}|[\da-f]{6})$/i;
const FORMATS = new Set(['auto', 'jpeg', 'jpg', 'png', 'webp', 'avif', 'gif']);

/**
 * Parse the modifiers and the percent-encoded key of a path of ipx.
 *
 * @param {string} path  With or without a prefix such as `/_ipx`.
 * @param {string} [prefix]
 * @returns {{modifiers: Record<string, string>, key: string}}
 */
export function readIpx(path, prefix = '/_ipx') {
    const inner = path.startsWith(prefix + '/') ? path.slice(prefix.length) : path;
    const [, written, key] = /^\/([^/]+)\/+(.+)$/s.exec(inner) ?? [];
    if (!key) {
        throw new RangeError(`This is no path of ipx: '${path}'`);
    }
    const pairs = written === '_' ? [] : written.split(/[&,]/).map(one => one.split(/[:=_]/));
    const named = pairs.map(([name, ...values]) => [SHORT[name] ?? name, values.map(decodeURIComponent).join('_')]);
    return { modifiers: Object.fromEntries(named), key };
}

/**
 * Convert modifiers of ipx to options of Darkroom.
 *
 * @param {Record<string, string>} modifiers  By their short names.
 * @returns {import('./darkroom.mjs').Options}
 * @throws {RangeError}  For modifiers that Darkroom does not support in the same way.
 */
export function optionsOf(modifiers) {
    const options = { ...sized(modifiers), up: 'enlarge' in modifiers ? 1 : undefined };
    for (const [name, value] of Object.entries(modifiers)) {
        const option = OPTIONS[name];
        if (!option) {
            throw new RangeError(`Darkroom has no counterpart of ipx' modifier '${name}'`);
        }
        Object.assign(options, option(value, modifiers));
    }
    if (options.rot % 180 && 'h' in modifiers && !('w' in modifiers)) {
        throw new RangeError("Darkroom has no counterpart of ipx' 'h' with a quarter turn, which crops: use 's'");
    }
    if (options.rot % 180 && options.g) {
        throw new RangeError("Darkroom has no counterpart of ipx' 'pos' with a quarter turn: its gravity is that of the source");
    }
    if (options.rot % 180 && (options.flip === 'h' || options.flip === 'v')) {
        options.flip = options.flip === 'h' ? 'v' : 'h'; // ipx mirrors an image before it turns it, Darkroom after
    }
    return options;
}

/** ipx applies `w` last, which replaces `h`; `s` precedes both. */
function sized({ w, h, s, fit = 'cover', pos, b }) {
    if (w || h) {
        return w ? { w: number('w', w) } : { h: number('h', h) };
    }
    if (!s) {
        return {};
    }
    const [width, height = width] = s.split('x').map(side => number('s', side));
    if (!(fit in FITS)) {
        throw new RangeError(`Darkroom has no counterpart of ipx' fit '${fit}'`);
    }
    const filled = fit === 'contain' ? backgroundOf({ b }) : {};
    return { w: width, h: height, fit: FITS[fit], g: pos && fit === 'cover' ? gravityOf(pos) : undefined, ...filled };
}

/** ipx' colour of bars, margins and flattened transparency: black unless `b` is set. */
const backgroundOf = ({ b = '000000' }) => ({ bg: HEX.exec(b)?.[1] ?? refuse('b', b) });

const gravityOf = position => CORNERS[position.replaceAll('_', ' ')] ?? SIDES[position] ?? position;
const nothing = () => ({});

const OPTIONS = table({
    w: nothing,
    h: nothing,
    s: nothing,
    fit: nothing,
    pos: nothing,
    enlarge: nothing,
    animated: nothing,
    q: value => ({ q: number('q', value) }),
    f: value => ({ f: value === 'auto' ? undefined : known(FORMATS, 'f', value) }),
    b: value => (HEX.test(value) ? {} : refuse('b', value)),
    flatten: (_, modifiers) => backgroundOf(modifiers),
    extract: value => ({ crop: numbers('extract', value, 4) }),
    extend: (value, modifiers) => ({ pad: numbers('extend', value, 4), ...backgroundOf(modifiers) }),
    rotate: value => ({ rot: known(new Set([0, 90, 180, 270]), 'rotate', number('rotate', value)) }),
    flip: (_, modifiers) => ({ flip: 'flop' in modifiers ? 'hv' : 'v' }),
    flop: (_, modifiers) => ({ flip: 'flip' in modifiers ? 'hv' : 'h' }),
    blur: value => ({ blur: number('blur', value) }),
    sharpen: value => ({ sharp: number('sharpen', value) }),
    trim: value => ({ trim: number('trim', value || '10') }),
    grayscale: () => ({ gray: 1 }),
});

function number(name, value) {
    return value !== '' && Number.isFinite(Number(value)) ? Number(value) : refuse(name, value);
}

function numbers(name, value, count) {
    const found = value.split('_').map(one => number(name, one));
    return found.length === count ? found : refuse(name, value);
}

const known = (values, name, value) => (values.has(value) ? value : refuse(name, value));

function refuse(name, value) {
    throw new RangeError(`Darkroom has no counterpart of ipx' '${name}_${value}'`);
}

/**
 * Return Darkroom's URL for a path of ipx.
 *
 * @param {string} path
 * @param {{base?: string, prefix?: string, sign?: (url: string) => string}} [by]  `sign` is for servers: with it every
 *   modifier applies. Without it, only width and format do, as in all unsigned URLs.
 */
export function ipxUrl(path, { base = '', prefix, sign } = {}) {
    const { modifiers, key } = readIpx(path, prefix);
    const options = optionsOf(modifiers);
    const name = keyOf(key, base);
    if (sign) {
        return sign(darkroomUrl(base, name, { ...options, dpr: 1 }));
    }
    return options.w || options.f
        ? widthUrl(base, name, options.w ?? Infinity, { format: options.f })
        : darkroomUrl(base, name);
}
