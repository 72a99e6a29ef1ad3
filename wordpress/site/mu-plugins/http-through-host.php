<?php
/**
 * Plugin Name: HTTP through the host
 * Description: In the embedded PHP, lets the Node process around it make WordPress' HTTP requests. The runtime's own sockets are emulated, wait by spinning, and stop connecting under load.
 * License: MIT
 */

if ( ! defined( 'ABSPATH' ) || ! function_exists( 'post_message_to_js' ) ) {
	return;
}

add_filter(
	'pre_http_request',
	static function ( $answer, array $arguments, string $url ) {
		$result = json_decode(
			(string) post_message_to_js(
				(string) wp_json_encode(
					array(
						'method'  => $arguments['method'],
						'url'     => $url,
						'headers' => (object) $arguments['headers'],
						'body'    => is_string( $arguments['body'] ) ? $arguments['body'] : null,
						'timeout' => (float) $arguments['timeout'],
					)
				)
			),
			true
		);
		if ( ! is_array( $result ) || ! isset( $result['status'] ) ) {
			return new WP_Error( 'http_request_failed', $result['error'] ?? 'The host gave no answer.' );
		}
		return array(
			'headers'  => $result['headers'],
			'body'     => $result['body'],
			'response' => array(
				'code'    => $result['status'],
				'message' => get_status_header_desc( $result['status'] ),
			),
			'cookies'  => array(),
			'filename' => null,
		);
	},
	10,
	3
);
