/**
 * The loader of `next/image` (`images.loaderFile`). Its URLs need no signature.
 *
 * `NEXT_PUBLIC_DARKROOM_URL` says where Darkroom answers.
 */
import { keyOf, widthUrl } from './darkroom.mjs';

const BASE = process.env.NEXT_PUBLIC_DARKROOM_URL ?? '';

/**
 * `quality` is not followed: without a signature each format has its own, which suits it.
 *
 * @param {{src: string, width: number, quality?: number}} wanted  `src` is a key in the bucket, percent-encoded, or its URL;
 *   `width` in device pixels. It goes up to the next width of the ladder.
 */
export default function darkroomLoader({ src, width }) {
    return widthUrl(BASE, keyOf(src, BASE), width);
}
