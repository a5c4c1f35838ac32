// A page that is made on a server, or when a site is built.
import { darkroomUrl } from '../darkroom.mjs';
import { img, picture } from '../picture.mjs';

const base = process.env.DARKROOM_URL; // such as https://images.example.com

export async function figure(key, alt) {
    const description = await (await fetch(darkroomUrl(base, key, { f: 'json' }))).json();
    const { width, height } = description;
    return img({ base, key, alt, width, height, description, sizes: '(min-width: 60rem) 40rem, 100vw' });
}

export const banner = (key, alt, { width, height }) =>
    picture({ base, key, alt, width, height, loading: 'eager' }, { directed: [{ media: '(max-width: 30rem)', preset: 'social' }] });
