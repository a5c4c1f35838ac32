// astro.config.mjs
export default {
    image: {
        service: {
            entrypoint: './frontends/astro-service.mjs', // or astro-signed.mjs
            config: { baseURL: 'https://images.example.com' },
        },
    },
};
