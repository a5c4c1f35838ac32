// On a server: exact sizes, shapes and every option of Darkroom's.
import { transform } from '../unpic.mjs';
import { signUrl } from '../sign.mjs';

const options = {
    baseURL: 'https://images.example.com',
    sign: url => signUrl(url, process.env.DARKROOM_SIGNING_KEY),
};

export const portrait = (src, width) =>
    transform(src, { width, height: width, gravity: 'face', quality: 'auto' }, options);
