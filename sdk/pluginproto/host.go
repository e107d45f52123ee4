package pluginproto

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
)

// EnvClientCert holds the host's certificate, in PEM. A plugin that finds it
// lets nobody else in, and answers with its own at the end of the handshake's line.
const EnvClientCert = "PLUGIN_CLIENT_CERT"

// HostConfig prepares go-plugin for a host that speaks those versions of a
// kind. env must be added to the plugin's environment.
//
// It does what go-plugin's AutoMTLS does, with a key on P-256: AutoMTLS takes
// P-521, which the gRPC of Python, Ruby, C++ and PHP (BoringSSL) refuses.
func HostConfig(kind string, versions []int, startTimeout time.Duration) (cfg *plugin.ClientConfig, env []string, err error) {
	identity, certificate, err := newIdentity()
	if err != nil {
		return nil, nil, fmt.Errorf("make a certificate for the plugin's host: %w", err)
	}
	cfg = &plugin.ClientConfig{
		HandshakeConfig:  Handshake(),
		VersionedPlugins: Versions(kind, versions...),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{identity}, ServerName: "localhost", MinVersion: tls.VersionTLS12,
		},
		SkipHostEnv: true, StartTimeout: startTimeout,
		Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Off}),
	}
	return cfg, []string{EnvClientCert + "=" + certificate}, nil
}

// newIdentity makes a key and its certificate, which is its own authority, as
// go-plugin's plugins expect it.
func newIdentity() (identity tls.Certificate, certificate string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return identity, "", err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		return identity, "", err
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "localhost", Organization: []string{"Goals Tracker"}}, DNSNames: []string{"localhost"},
		SerialNumber: serial, NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().AddDate(30, 0, 0),
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return identity, "", err
	}
	var out bytes.Buffer
	if err := pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
		return identity, "", err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, out.String(), nil
}
