// Reads and writes requests of the engine.

const valuesOf = given => given.multiValue ? given.multiValue.map(one => one.value) : [given.value];

const header = (request, name) => {
    const given = request.headers[name];
    return given ? valuesOf(given).join(',') : '';
};

// The prefix is that of the standard; browsers sent hints without it before.
const clientHint = (request, name) => header(request, 'sec-ch-' + name) || header(request, name);

// Sets or deletes the header on every request, so that viewers cannot send it.
const setHeader = (request, name, value) => {
    const full = 'x-darkroom-' + name;
    delete request.headers[full];
    if (value) {
        request.headers[full] = {value: value};
    }
};
