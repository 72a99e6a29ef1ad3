<?php
/**
 * What counts as a conversion here, and how the edge hears of it: `turnout_convert()`
 * reports one from PHP, whatever the browser can do; the client script reports a
 * visit that ends without.
 *
 * @package Turnout
 */

namespace Turnout {

	/** Seconds to wait for the edge; a visitor waits as long. */
	const EDGE_TIMEOUT = 2;

	/** Origin of the edge. Its host must be one of the edge's `public.hosts`. */
	function edge_url(): string {
		$url = defined( 'TURNOUT_EDGE_URL' ) ? (string) constant( 'TURNOUT_EDGE_URL' ) : (string) getenv( 'TURNOUT_EDGE_URL' );
		return '' !== $url ? $url : 'http://127.0.0.1:8080';
	}

	/** A header or the target of the request being served; empty when there is none. */
	function server_text( string $name ): string {
		$value = $_SERVER[ $name ] ?? '';
		return is_string( $value ) ? $value : '';
	}

	/**
	 * Reports a conversion of the visitor being served.
	 *
	 * @param array{metric: string, value?: int|float, experiment?: string} $conversion
	 * @return bool Whether the edge took it.
	 */
	function report_conversion( array $conversion, string $event_id ): bool {
		try {
			$request = conversion_request( $conversion, edge_url(), server_text( 'HTTP_COOKIE' ), server_text( 'HTTP_X_REQUEST_ID' ), $event_id, (int) ( microtime( true ) * 1000 ) );
		} catch ( \JsonException ) {
			error_log( 'turnout: conversion of ' . $conversion['metric'] . ' not reported: expected the name of the metric in UTF-8' );
			return false;
		}
		if ( null === $request ) {
			return false;
		}
		$answer = wp_remote_post(
			$request['url'],
			array(
				'timeout'     => EDGE_TIMEOUT,
				'redirection' => 0,
				'headers'     => $request['headers'],
				'body'        => $request['body'],
			)
		);
		$code = is_wp_error( $answer ) ? 0 : (int) wp_remote_retrieve_response_code( $answer );
		// 204: the edge does not count this visitor, who previews or has not agreed.
		if ( 202 === $code || 204 === $code ) {
			return 202 === $code;
		}
		$problem = is_wp_error( $answer ) ? $answer->get_error_message() : 'expected status 202, got ' . $code . ': ' . substr( (string) preg_replace( '/\s+/', ' ', wp_remote_retrieve_body( $answer ) ), 0, 300 );
		error_log( 'turnout: conversion of ' . $conversion['metric'] . ' not reported to ' . $request['url'] . ': ' . trim( $problem ) );
		return false;
	}

	/**
	 * Metrics with a conversion in this request.
	 *
	 * @param string ...$more To be added.
	 * @return list<string>
	 */
	function converted_metrics( string ...$more ): array {
		static $metrics = array();
		$metrics        = array_values( array_unique( array( ...$metrics, ...$more ) ) );
		return $metrics;
	}

	/**
	 * Prints the client script. A page after a conversion owes no other result;
	 * the shop's pages hope for a sign-up.
	 */
	function print_client_script(): void {
		// Shown by name it counts nobody, and who writes for the site is no visitor.
		if ( is_mounted( server_text( 'REQUEST_URI' ) ) || current_user_can( 'edit_posts' ) ) {
			return;
		}
		$settled  = converted_metrics();
		$expected = '' !== product_page() || is_front_page() ? array( 'signup' ) : array();
		/**
		 * Filters the metrics that a page hopes for.
		 *
		 * @param list<string> $expected Names of metrics.
		 */
		$expected   = array_diff( (array) apply_filters( 'turnout_expect', $expected ), $settled );
		$attributes = array_filter(
			array(
				'data-expect' => implode( ' ', $expected ),
				'data-settle' => implode( ' ', $settled ),
			)
		);
		if ( $attributes ) {
			wp_print_script_tag( array( 'src' => '/_turnout/client.js', 'defer' => true ) + $attributes );
		}
	}
	// At the end, when the page's conversions are known.
	add_action( 'wp_footer', __NAMESPACE__ . '\print_client_script' );

	// What plugins can say without knowing this one: do_action( 'turnout_convert', 'newsletter' ).
	add_action( 'turnout_convert', 'turnout_convert', 10, 3 );

	/** Says in an order that the edge knows of it. */
	const ORDER_REPORTED = '_turnout_reported';

	/**
	 * Reports an order of a shop, once: its thank-you page can be opened again, weeks later
	 * and in another phase. The page is shown of an order whose payment failed, too, which
	 * is no purchase.
	 *
	 * @param int|string $order_id The order's number.
	 */
	function report_order( $order_id ): void {
		$order = function_exists( 'wc_get_order' ) ? wc_get_order( $order_id ) : false;
		if ( ! $order || $order->has_status( 'failed' ) || $order->get_meta( ORDER_REPORTED ) ) {
			return;
		}
		// The same event id, for two pages that are opened at once.
		if ( turnout_convert( 'purchase', (float) $order->get_total(), array( 'once' => 'order ' . $order_id ) ) ) {
			$order->update_meta_data( ORDER_REPORTED, '1' );
			$order->save();
		}
	}
	add_action( 'woocommerce_thankyou', __NAMESPACE__ . '\report_order' );
}

namespace {

	/**
	 * Reports to the edge that the visitor being served has converted. Their
	 * experiments and variants are those of their cookie.
	 *
	 *     turnout_convert( 'signup', 18.0 );
	 *
	 * @param string         $metric  What is counted: lower-case letters, digits and dashes.
	 * @param int|float|null $value   What it was worth, in the metric's own unit.
	 * @param array{experiment?: string, once?: string} $options `experiment`: the one that it is a
	 *        result of; all that the visitor is in, unless given. `once`: a name under which it
	 *        counts once, however often it is reported, such as `order 17`.
	 * @return bool Whether the edge counts it. False without a visitor cookie, too, and where the
	 *         site is shown by name, under /wordpress.
	 */
	function turnout_convert( string $metric, int|float|null $value = null, array $options = array() ): bool {
		if ( Turnout\is_mounted( Turnout\server_text( 'REQUEST_URI' ) ) ) {
			return false;
		}
		Turnout\converted_metrics( $metric );
		$conversion = array_filter(
			array(
				'metric'     => $metric,
				'value'      => $value,
				'experiment' => $options['experiment'] ?? null,
			),
			static fn( $part ): bool => null !== $part
		);
		$once = $options['once'] ?? null;
		return Turnout\report_conversion( $conversion, null === $once ? wp_generate_uuid4() : Turnout\event_id_of( home_url() . ' ' . $metric . ' ' . $once ) );
	}
}
