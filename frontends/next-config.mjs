/** Next's `images` for a site with images from Darkroom, with widths that need no signature. */
import { LADDER } from './tables.mjs';

const SMALLEST_DEVICE_PX = 640;

/**
 * @param {string} loaderFile  Path of next-loader.mjs, from the root of the site.
 * @returns {{loader: 'custom', loaderFile: string, deviceSizes: number[], imageSizes: number[]}}
 */
export const darkroomImages = loaderFile => ({
    loader: 'custom',
    loaderFile,
    deviceSizes: LADDER.filter(width => width >= SMALLEST_DEVICE_PX),
    imageSizes: LADDER.filter(width => width < SMALLEST_DEVICE_PX),
});
