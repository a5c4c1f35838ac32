// Uploads with a page of your own: no element, no framework.
import { Uploader } from '../upload.mjs';

const token = async key => (await fetch(`/upload-token?prefix=${encodeURIComponent(key)}`)).text();

/** Upload the files of an input; `show` is called with each item whenever it changes. */
export function uploader(api, input, show) {
    const made = new Uploader({ api, token, prefix: 'trips/anna/', prepare: { maxSide: 2560 }, journal: 'anna' });
    made.addEventListener('change', ({ detail: item }) => show(item));
    input.addEventListener('change', () => made.add(input.files));
    made.resume();
    return made;
}
