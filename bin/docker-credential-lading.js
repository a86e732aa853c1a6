#!/usr/bin/env node
// The credential helper of docker and other clients: `docker-credential-lading get` is `lading docker-credential get`.

process.argv.splice(2, 0, 'docker-credential')
await import('./lading.js')
