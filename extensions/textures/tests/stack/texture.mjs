// A square of three.js with the texture at the address of the query, loaded by its KTX2Loader.
import * as THREE from 'three';
import { KTX2Loader } from 'three/addons/loaders/KTX2Loader.js';

const SIDE_PX = 256;
const canvas = document.createElement('canvas');
document.getElementById('place').append(canvas);
const renderer = new THREE.WebGLRenderer({ canvas, preserveDrawingBuffer: true });
renderer.setSize(SIDE_PX, SIDE_PX);
const loader = new KTX2Loader().setTranscoderPath('/basis/').detectSupport(renderer);
const scene = new THREE.Scene();
const camera = new THREE.OrthographicCamera(-1, 1, 1, -1, 0, 2);
camera.position.z = 1;
let square;

/** Load a texture, draw it, and return what it is, with the colours of its upper and its lower half. */
window.show = async (url, headers) => {
    const texture = await loader.setRequestHeader(headers ?? {}).loadAsync(url);
    texture.wrapT = THREE.RepeatWrapping; // coordinates of three.js begin at the bottom, those of KTX2 at the top
    texture.repeat.y = -1;
    scene.remove(square);
    square = new THREE.Mesh(new THREE.PlaneGeometry(2, 2), new THREE.MeshBasicMaterial({ map: texture }));
    scene.add(square);
    renderer.render(scene, camera);
    const gl = renderer.getContext();
    const colour = y => {
        const found = new Uint8Array(4);
        gl.readPixels(SIDE_PX / 2, SIDE_PX - y, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, found);
        return [...found];
    };
    return {
        width: texture.image.width,
        height: texture.image.height,
        levels: texture.mipmaps.length,
        compressed: !!texture.isCompressedTexture,
        above: colour(SIDE_PX / 4),
        below: colour(3 * SIDE_PX / 4),
    };
};
