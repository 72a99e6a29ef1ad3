<?php
/**
 * The request that reports a conversion, as test/cases/conversions.json says it
 * for every language. Nothing here needs WordPress.
 *
 * @package Turnout
 */

namespace Turnout;

/** A visitor cookie with something in it, as it is named with and without TLS. */
const VISITOR_COOKIE_PATTERN = '/(?:^|;)\s*(?:__Host-)?turnout=[^;\s]/';

const UUID_PATTERN = '/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/iD';

/**
 * The request, or null for somebody without a visitor cookie: nobody knows which
 * variant they saw. The cookies go along as they came, since they are what tells
 * who converted, whether they agreed to be counted, and whether they were shown
 * a preview.
 *
 * @param array{metric: string, value?: int|float, experiment?: string} $conversion
 * @param string $edge_url   Origin of the edge.
 * @param string $cookie     Cookie header of the request that converted.
 * @param string $request_id Its X-Request-Id.
 * @param string $event_id   A UUID; the same one when the same conversion is reported again.
 * @param int    $at         When it happened, in milliseconds since 1970.
 * @return array{method: string, url: string, headers: array<string, string>, body: string}|null
 * @throws \JsonException For a metric or an experiment that is no UTF-8.
 */
function conversion_request( array $conversion, string $edge_url, string $cookie, string $request_id, string $event_id, int $at ): ?array {
	if ( 1 !== preg_match( VISITOR_COOKIE_PATTERN, $cookie ) ) {
		return null;
	}
	$event = array(
		'event_id'    => $event_id,
		'metric'      => $conversion['metric'],
		'did_convert' => true,
		'occurred_at' => $at,
	);
	// What is no number of JSON costs the value, and not the conversion.
	if ( isset( $conversion['value'] ) && is_finite( $conversion['value'] ) ) {
		$event['value'] = $conversion['value'];
	}
	if ( 1 === preg_match( UUID_PATTERN, $request_id ) ) {
		$event['request_id'] = $request_id;
	}
	if ( isset( $conversion['experiment'] ) ) {
		$event['experiment'] = $conversion['experiment'];
	}
	return array(
		'method'  => 'POST',
		'url'     => rtrim( $edge_url, '/' ) . '/_turnout/v1/events',
		'headers' => array(
			'Content-Type' => 'application/json',
			'Cookie'       => $cookie,
		),
		'body'    => json_encode( array( 'events' => array( $event ) ), JSON_THROW_ON_ERROR ),
	);
}

/**
 * The id of something that counts once however often it is reported, such as an
 * order: the same name always has the same id. A UUIDv8 (RFC 9562, section 5.8).
 */
function event_id_of( string $name ): string {
	$digits = hash( 'sha256', $name );
	return sprintf( '%s-%s-8%s-a%s-%s', substr( $digits, 0, 8 ), substr( $digits, 8, 4 ), substr( $digits, 13, 3 ), substr( $digits, 17, 3 ), substr( $digits, 20, 12 ) );
}
