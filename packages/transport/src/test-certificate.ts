/**
 * A self-signed certificate for `localhost`, 127.0.0.1 and ::1 with its key, for tests only: the key is public, so a
 * server that uses it is open to everybody. Valid from 2020 to 2120.
 */
export const TEST_CERTIFICATE: { readonly key: string; readonly cert: string } = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgweo3v3s3zygls0Cp
GGSXqpYi1nMQyIwJSH0KKTCVavuhRANCAARLl4vs0on2Q5+qg6qdGxf81v+X8rga
j60R0TYH7wB3WhvF2FvRZWJqY1wZjdRrPwfm+QokoegGMJ7kzd5SXOo+
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBwjCCAWmgAwIBAgIBATAKBggqhkjOPQQDAjA5MRIwEAYDVQQDDAlsb2NhbGhv
c3QxIzAhBgNVBAoMGkhlYWRmcmFtZSB0ZXN0IGNlcnRpZmljYXRlMCAXDTIwMDEw
MTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjA5MRIwEAYDVQQDDAlsb2NhbGhvc3Qx
IzAhBgNVBAoMGkhlYWRmcmFtZSB0ZXN0IGNlcnRpZmljYXRlMFkwEwYHKoZIzj0C
AQYIKoZIzj0DAQcDQgAES5eL7NKJ9kOfqoOqnRsX/Nb/l/K4Go+tEdE2B+8Ad1ob
xdhb0WViamNcGY3Uaz8H5vkKJKHoBjCe5M3eUlzqPqNgMF4wDwYDVR0TAQH/BAUw
AwEB/zAsBgNVHREEJTAjgglsb2NhbGhvc3SHBH8AAAGHEAAAAAAAAAAAAAAAAAAA
AAEwHQYDVR0OBBYEFD25dm64BG3bqxuK88klafFEe+KRMAoGCCqGSM49BAMCA0cA
MEQCIAQo2IzAVSEVtjha9zfP3Tl9Dx2HU+9R9qdYLn09irdiAiA9SdzM2j+DtrAa
k1EwcCKi3uYavajmKEyYjw/o2rIsfw==
-----END CERTIFICATE-----
`,
};
