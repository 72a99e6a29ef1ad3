<?php
/**
 * The sign-up form: what was typed, and what became of it.
 *
 * The form has no nonce. A nonce would tie the page to one visitor and an hour,
 * which a cached page outlives, and protects an account's rights, of which an
 * anonymous form has none. Posts that a browser marks as coming from another
 * site are refused.
 *
 * @package Turnout
 */

namespace Turnout;

/**
 * Names of the inputs by the API's field. `name` itself is a query variable of
 * WordPress, which would look for a post of that name.
 */
const SIGN_UP_INPUTS = array(
	'name'  => 'full_name',
	'email' => 'email',
	'plan'  => 'plan',
);

/**
 * Values of the form from a request's parameters. What is no string, or absurdly
 * long, counts as not typed.
 *
 * @param array<string, mixed> $parameters Unslashed $_GET or $_POST.
 * @return array{plan: string, name: string, email: string}
 */
function sign_up_values( array $parameters ): array {
	$values = array();
	foreach ( SIGN_UP_INPUTS as $field => $input ) {
		$value            = $parameters[ $input ] ?? '';
		$values[ $field ] = is_string( $value ) && strlen( $value ) <= 1000 ? wp_check_invalid_utf8( $value ) : '';
	}
	return $values;
}

/**
 * Answer to a request for the sign-up page: its status, and the arguments of
 * its template.
 *
 * @param list<array<string, mixed>> $plans Plans to choose from.
 * @return array{int, array<string, mixed>}
 */
function sign_up( array $plans ): array {
	$view = array(
		'plans'       => $plans,
		'errors'      => array(),
		'welcome'     => null,
		'unavailable' => false,
	);
	if ( 'POST' !== ( $_SERVER['REQUEST_METHOD'] ?? 'GET' ) ) {
		return array( 200, $view + array( 'values' => sign_up_values( wp_unslash( $_GET ) ) ) );
	}
	$values = sign_up_values( wp_unslash( $_POST ) );
	if ( 'cross-site' === ( $_SERVER['HTTP_SEC_FETCH_SITE'] ?? '' ) ) {
		return array( 403, array( 'values' => $values, 'errors' => array( 'form' => __( 'This form was sent from another site. Please send it again from here.', 'turnout' ) ) ) + $view );
	}
	$result = send_sign_up( $values );
	if ( 'created' === $result['status'] ) {
		// What a sign-up is worth: the plan's price a month, in euros.
		$plan = find_plan( $plans, $values['plan'] );
		turnout_convert( 'signup', null === $plan ? null : $plan['price'] / 100 );
		return array( 200, array( 'values' => $values, 'welcome' => $result['name'] ?? '' ) + $view );
	}
	if ( 'refused' === $result['status'] ) {
		return array( 422, array( 'values' => $values, 'errors' => $result['errors'] ?? array() ) + $view );
	}
	return array( 503, array( 'values' => $values, 'unavailable' => true ) + $view );
}
