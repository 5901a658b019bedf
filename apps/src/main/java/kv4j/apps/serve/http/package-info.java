/**
 * What lies between sockets and requests: who may ask for what, how much may be sent, and how
 * answers and errors are put into HTTP. All routes use it. It knows nothing of models.
 */
package kv4j.apps.serve.http;
