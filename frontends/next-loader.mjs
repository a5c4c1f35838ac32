/**
 * The loader of `next/image` (`images.loaderFile`). Its URLs need no signature.
 *
 * `NEXT_PUBLIC_DARKROOM_URL` is Darkroom's URL.
 */
import { keyOf, widthUrl } from './darkroom.mjs';

const BASE = process.env.NEXT_PUBLIC_DARKROOM_URL ?? '';

/**
 * `quality` has no effect: without a signature, each format has its default.
 *
 * @param {{src: string, width: number, quality?: number}} wanted  `src` is a key in the bucket, percent-encoded, or its URL;
 *   `width` in device pixels. It is rounded up to the next width of the ladder.
 */
export default function darkroomLoader({ src, width }) {
    return widthUrl(BASE, keyOf(src, BASE), width);
}
