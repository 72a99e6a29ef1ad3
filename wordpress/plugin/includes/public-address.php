<?php
/**
 * The address that visitors see. Behind a reverse proxy WordPress would send
 * them to the address that it was installed under; here the proxy's
 * X-Forwarded-Host and X-Forwarded-Proto count instead, and the whole site also
 * answers under a path, /wordpress, with its links staying there.
 *
 * Off unless TURNOUT_PUBLIC_HOST_PATTERN, a regular expression, is defined (in
 * wp-config.php): a host that it does not match is ignored, since hosts end up
 * in redirects and links.
 *
 * @package Turnout
 */

namespace Turnout;

/** Path that the site also answers under. */
const MOUNT_PATH = '/wordpress';

/**
 * Origin (`https://shop.example:8443`) that the visitor asked, or null where
 * the request names none that may be used.
 *
 * @param array<string, mixed> $server  As $_SERVER.
 * @param string               $pattern Regular expression for host and port.
 */
function public_origin( array $server, string $pattern ): ?string {
	$host = $server['HTTP_X_FORWARDED_HOST'] ?? $server['HTTP_HOST'] ?? '';
	if ( '' === $pattern || ! is_string( $host ) || 1 !== preg_match( $pattern, $host ) ) {
		return null;
	}
	$forwarded = $server['HTTP_X_FORWARDED_PROTO'] ?? null;
	$https     = null === $forwarded ? ! in_array( strtolower( (string) ( $server['HTTPS'] ?? '' ) ), array( '', 'off' ), true ) : 'https' === $forwarded;
	return ( $https ? 'https://' : 'http://' ) . strtolower( $host );
}

/** Whether a request target lies under the mount path. */
function is_mounted( string $request_uri ): bool {
	$path = explode( '?', $request_uri, 2 )[0];
	return MOUNT_PATH === $path || str_starts_with( $path, MOUNT_PATH . '/' );
}

/** Path of a page of the site as a link from the page being served: `/plans`, or `/wordpress/plans`. */
function link_path( string $path ): string {
	return ( is_mounted( (string) ( $_SERVER['REQUEST_URI'] ?? '' ) ) ? MOUNT_PATH : '' ) . $path;
}

$origin = public_origin( $_SERVER, defined( 'TURNOUT_PUBLIC_HOST_PATTERN' ) ? (string) constant( 'TURNOUT_PUBLIC_HOST_PATTERN' ) : '' );
if ( null !== $origin ) {
	// WordPress compares the address asked for with its own: both must be the
	// public one, or its canonical redirect never ends.
	$_SERVER['HTTP_HOST'] = substr( $origin, strpos( $origin, '//' ) + 2 );
	$_SERVER['HTTPS']     = str_starts_with( $origin, 'https:' ) ? 'on' : 'off';

	// WordPress has built the addresses of wp-content from the stored address
	// before any plugin could speak.
	$stored     = (string) get_option( 'siteurl' );
	$public_url = static fn( string $url ): string => '' !== $stored && str_starts_with( $url, $stored . '/' ) ? $origin . substr( $url, strlen( $stored ) ) : $url;
	add_filter( 'content_url', $public_url );
	add_filter( 'plugins_url', $public_url );

	// The dashboard, the login page and all assets stay at the root, so `siteurl`
	// never has the mount path.
	add_filter( 'option_siteurl', static fn(): string => $origin );
	add_filter( 'option_home', static fn(): string => $origin . link_path( '' ) );
}
unset( $origin, $stored, $public_url );
