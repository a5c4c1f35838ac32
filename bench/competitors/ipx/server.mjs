// ipx as its README starts it, on a port of ours: sources come by HTTP from the benchmark's S3 alone.
import { createServer } from "node:http";
import { createIPX, createIPXNodeServer, ipxHttpStorage } from "ipx";

const ipx = createIPX({ httpStorage: ipxHttpStorage({ domains: ["127.0.0.1"] }) });
createServer(createIPXNodeServer(ipx)).listen(Number(process.argv[2]), "127.0.0.1");
