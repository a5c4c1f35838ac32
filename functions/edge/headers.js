// Requests, as the engine hands them out and takes them back.

const valuesOf = given => given.multiValue ? given.multiValue.map(one => one.value) : [given.value];

const header = (request, name) => {
    const given = request.headers[name];
    return given ? valuesOf(given).join(',') : '';
};

// Each of these headers is set or deleted on every request, so that no viewer can send one.
const setHeader = (request, name, value) => {
    const full = 'x-darkroom-' + name;
    delete request.headers[full];
    if (value) {
        request.headers[full] = {value: value};
    }
};

// As the viewer wrote it, but for the order: the engine hands on names and values percent-encoded.
const queryText = request => Object.keys(request.querystring).map(name =>
    valuesOf(request.querystring[name]).map(value => name + '=' + value).join('&')).join('&');
