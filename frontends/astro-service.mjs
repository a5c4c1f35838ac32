/** Astro's image service (`image.service.entrypoint`). Its URLs need no signature: width, format and `preset` apply. */
import { service } from './astro.mjs';
import { darkroomUrl, keyOf, ladderWidth, widthUrl } from './darkroom.mjs';

/**
 * `config.baseURL` is Darkroom's URL. Without `format`, each viewer gets the best format that it accepts.
 *
 * @param {import('./astro.mjs').Transform} options
 */
function urlOf({ src, width, format, preset }, { baseURL = '' }) {
    const key = keyOf(src, baseURL);
    return preset ? darkroomUrl(baseURL, key, { preset }) : widthUrl(baseURL, key, width, { format });
}

export default service(urlOf, ladderWidth);
