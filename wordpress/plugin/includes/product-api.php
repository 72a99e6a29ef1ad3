<?php
/**
 * The product API over HTTP: plans are read through a short cache, sign-ups go
 * straight through.
 *
 * @package Turnout
 */

namespace Turnout;

/** Seconds for which plans are shown without asking again. */
const PLANS_FRESH = 15;
/** Seconds for which old plans are better than none when the API is down. */
const PLANS_STALE = DAY_IN_SECONDS;
/** Seconds to leave a failing API alone. */
const PLANS_RETRY = 2;
/** Seconds to wait for an answer with plans, and for one to a sign-up. */
const PLANS_TIMEOUT   = 2;
const SIGN_UP_TIMEOUT = 4;

/** Base URL of the API, without a slash at its end. */
function api_url(): string {
	$url = defined( 'TURNOUT_API_URL' ) ? (string) constant( 'TURNOUT_API_URL' ) : (string) getenv( 'TURNOUT_API_URL' );
	return rtrim( '' !== $url ? $url : 'http://127.0.0.1:4000', '/' );
}

/**
 * All plans, cheapest first, or null when the API has never answered and does
 * not answer now. Its failure is remembered for a few seconds, so that a slow
 * API makes one visitor wait and not each.
 *
 * @return list<array<string, mixed>>|null
 */
function plans(): ?array {
	// One transient holds the plans, when they were read, and until when to
	// leave the API alone.
	$known = get_transient( 'turnout_plans' );
	$known = is_array( $known ) ? $known : array( 'plans' => null, 'ask_at' => 0 );
	$now   = time();
	if ( $now < $known['ask_at'] ) {
		return $known['plans'];
	}
	$answer = wp_remote_get( api_url() . '/api/plans', request_options( PLANS_TIMEOUT ) );
	$plans  = is_wp_error( $answer ) || 200 !== wp_remote_retrieve_response_code( $answer ) ? null : parse_plans( wp_remote_retrieve_body( $answer ) );
	if ( null === $plans ) {
		error_log( 'turnout: no plans from ' . api_url() . '/api/plans: ' . ( is_wp_error( $answer ) ? $answer->get_error_message() : 'status ' . wp_remote_retrieve_response_code( $answer ) ) );
	}
	$known = array(
		'plans'  => $plans ?? $known['plans'],
		'ask_at' => $now + ( null === $plans ? PLANS_RETRY : PLANS_FRESH ),
	);
	set_transient( 'turnout_plans', $known, PLANS_STALE );
	return $known['plans'];
}

/**
 * The plan with an id; null when there is none such.
 *
 * @param list<array<string, mixed>> $plans Plans to search.
 * @return array<string, mixed>|null
 */
function find_plan( array $plans, string $id ): ?array {
	foreach ( $plans as $plan ) {
		if ( $plan['id'] === $id ) {
			return $plan;
		}
	}
	return null;
}

/**
 * Plans from the body of `GET /api/plans`, or null when it is not that.
 *
 * @return list<array<string, mixed>>|null
 */
function parse_plans( string $body ): ?array {
	$document = json_decode( $body, true );
	if ( ! is_array( $document ) || ! is_array( $document['plans'] ?? null ) ) {
		return null;
	}
	$kinds = array(
		'id'         => 'is_string',
		'name'       => 'is_string',
		'tagline'    => 'is_string',
		'price'      => 'is_int',
		'roaming'    => 'is_int',
		'speed'      => 'is_int',
		'commitment' => 'is_int',
		'highlights' => 'is_array',
		'popular'    => 'is_bool',
	);
	foreach ( $document['plans'] as $plan ) {
		foreach ( $kinds as $key => $is_kind ) {
			if ( ! is_array( $plan ) || ! $is_kind( $plan[ $key ] ?? null ) ) {
				return null;
			}
		}
	}
	return array_values( $document['plans'] );
}

/**
 * Sends a sign-up. The answer's `status` is `created`, `refused` (with
 * messages by field) or `unavailable`.
 *
 * @param array{plan: string, name: string, email: string} $values As typed.
 * @return array{status: string, name?: string, errors?: array<string, string>}
 */
function send_sign_up( array $values ): array {
	$answer = wp_remote_post(
		api_url() . '/api/sign-ups',
		request_options( SIGN_UP_TIMEOUT ) + array( 'body' => (string) wp_json_encode( $values ) )
	);
	if ( is_wp_error( $answer ) ) {
		error_log( 'turnout: sign-up not sent: ' . $answer->get_error_message() );
		return array( 'status' => 'unavailable' );
	}
	$code     = (int) wp_remote_retrieve_response_code( $answer );
	$document = json_decode( wp_remote_retrieve_body( $answer ), true );
	$document = is_array( $document ) ? $document : array();
	if ( 201 === $code ) {
		$name = $document['name'] ?? null;
		return array(
			'status' => 'created',
			'name'   => is_string( $name ) ? $name : trim( $values['name'] ),
		);
	}
	if ( $code >= 400 && $code < 500 ) {
		$errors = array();
		foreach ( is_array( $document['errors'] ?? null ) ? $document['errors'] : array() as $error ) {
			if ( is_string( $error['field'] ?? null ) && is_string( $error['message'] ?? null ) ) {
				$errors[ $error['field'] ] ??= $error['message'];
			}
		}
		if ( array() === $errors ) {
			// The one thing that can be missing is the plan.
			$detail = $document['detail'] ?? $document['title'] ?? null;
			$errors = array( 'plan' => is_string( $detail ) ? $detail : __( 'Choose another plan.', 'turnout' ) );
		}
		return array(
			'status' => 'refused',
			'errors' => $errors,
		);
	}
	error_log( 'turnout: sign-up refused with status ' . $code );
	return array( 'status' => 'unavailable' );
}

/**
 * Headers of the page's own request that go along with a call to the API, by
 * what they may hold: one request id finds both in the logs, and a sign-up is
 * stored with the visitor and the variant that the edge says it came from.
 */
const PASSED_ON_HEADERS = array(
	'X-Request-Id'          => '/^[\w.-]{1,64}$/D',
	'X-Turnout-Visitor'     => '/^[\w-]{1,64}$/D',
	'X-Turnout-Assignments' => '/^[\x20-\x7e]{1,1024}$/D',
);

/**
 * Options of a call to the API.
 *
 * @return array<string, mixed>
 */
function request_options( int $timeout ): array {
	$headers = array(
		'Accept'       => 'application/json',
		'Content-Type' => 'application/json',
	);
	foreach ( PASSED_ON_HEADERS as $name => $pattern ) {
		$value = $_SERVER[ 'HTTP_' . strtoupper( strtr( $name, '-', '_' ) ) ] ?? '';
		if ( is_string( $value ) && preg_match( $pattern, $value ) ) {
			$headers[ $name ] = $value;
		}
	}
	return array(
		'timeout'     => $timeout,
		'redirection' => 0,
		'headers'     => $headers,
	);
}
