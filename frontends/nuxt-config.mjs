/** Nuxt's `image` for a site with images from Darkroom: with densities of 1 and 2, its screens are widths of the ladder. */

/**
 * @param {string} baseURL  Darkroom's URL.
 * @param {string} provider  Path of nuxt-provider.mjs, as Nuxt resolves it.
 */
export const darkroomImage = (baseURL, provider) => ({
    provider: 'darkroom',
    providers: { darkroom: { provider, options: { baseURL } } },
    screens: { xs: 320, sm: 640, md: 960, lg: 1280, xl: 1920 },
    densities: [1, 2],
});
