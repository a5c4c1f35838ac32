// nuxt.config.mjs
import { darkroomImage } from '../nuxt-config.mjs';

export default {
    modules: ['@nuxt/image'],
    image: darkroomImage('https://images.example.com', '~/frontends/nuxt-provider.mjs'),
};
