/**
 * Common parts of the two image services: an external service of Astro 5 and 6, which builds URLs and transforms nothing
 * itself.
 *
 * Images that Astro bundles are not in the bucket: their URLs are unchanged.
 *
 * @typedef {{src: string | {src: string, width: number, height: number}, width?: number, height?: number,
 *   widths?: number[], densities?: (number | `${number}x`)[], format?: string, quality?: number | string, fit?: string,
 *   position?: string, [attribute: string]: unknown}} Transform
 */
const OWN = ['src', 'width', 'height', 'widths', 'densities', 'format', 'formats', 'quality', 'fit', 'position', 'background',
    'layout', 'priority', 'preset', 'inferSize'];

/**
 * Create an image service.
 *
 * @param {(options: Transform, config: Record<string, unknown>) => string} urlOf  The URL of a remote image.
 * @param {(width: number) => number} offered  The offered width in px for `width`.
 */
export function service(urlOf, offered) {
    return {
        /** @param {Transform} options */
        validateOptions(options) {
            if (isBundled(options)) {
                return options;
            }
            const missing = ['width', 'height'].filter(name => !options[name]);
            if (missing.length) {
                throw new RangeError(`'${options.src}' needs ${missing.join(' and ')}, so that the page does not shift`);
            }
            return { ...options, width: Math.round(options.width), height: Math.round(options.height) };
        },

        /** @param {Transform} options */
        getURL(options, { service: { config = {} } = {} } = {}) {
            return isBundled(options) ? options.src.src : urlOf(options, config);
        },

        /** @param {Transform} options */
        getSrcSet(options) {
            if (isBundled(options)) {
                return [];
            }
            const { widths, densities, width, height, ...others } = options;
            const variant = (px, descriptor) => ({
                transform: { ...others, width: px, height: Math.round((px * height) / width) }, descriptor, attributes: {},
            });
            if (densities) {
                return densities.map(parseFloat).sort((a, b) => a - b)
                    .map(density => variant(offered(Math.round(width * density)), `${density}x`));
            }
            return [...new Set((widths ?? []).map(offered))].sort((a, b) => a - b).map(px => variant(px, `${px}w`));
        },

        /** @param {Transform} options */
        getHTMLAttributes(options) {
            const attributes = Object.fromEntries(Object.entries(options).filter(([name]) => !OWN.includes(name)));
            const { width, height } = isBundled(options) ? { ...options.src, ...defined(options) } : options;
            return { loading: 'lazy', decoding: 'async', ...defined(attributes), width, height };
        },
    };
}

const isBundled = ({ src }) => typeof src === 'object';
const defined = fields => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
