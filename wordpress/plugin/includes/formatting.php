<?php
/**
 * How a plan's figures read on a page.
 *
 * @package Turnout
 */

namespace Turnout;

/** Minor units as a price: 1500 is `€15.00`. */
function price( int $minor ): string {
	return '€' . number_format( $minor / 100, 2 );
}

/** Monthly data: `20 GB`, or `Unlimited` for null. */
function data_allowance( ?int $gigabytes ): string {
	return null === $gigabytes ? __( 'Unlimited', 'turnout' ) : $gigabytes . ' GB';
}

/** Top speed: `150 Mbit/s`, `1 Gbit/s`. */
function speed( int $megabits ): string {
	return $megabits >= 1000 ? rtrim( rtrim( number_format( $megabits / 1000, 1 ), '0' ), '.' ) . ' Gbit/s' : $megabits . ' Mbit/s';
}

/** Minimum term: `None`, `12 months`. */
function commitment( int $months ): string {
	/* translators: %d: number of months. */
	return 0 === $months ? __( 'None', 'turnout' ) : sprintf( _n( '%d month', '%d months', $months, 'turnout' ), $months );
}
