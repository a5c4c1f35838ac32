import { signedUrl } from '../sign.mjs';

const inAnHour = () => Math.floor(Date.now() / 1000) + 3600;

export const banner = key =>
    signedUrl('https://images.example.com', key, { w: 1500, h: 500, fit: 'cover', g: 'attention' }, {
        key: process.env.DARKROOM_SIGNING_KEY,
        expiresS: inAnHour(),
    });
