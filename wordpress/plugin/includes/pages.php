<?php
/**
 * The product's pages: their addresses, titles, statuses and caching.
 *
 * @package Turnout
 */

namespace Turnout;

use WP_Query;

/** Rewrite rules; a change here takes effect by itself at the next request. */
const REWRITE_RULES = array(
	'^plans/?$'                     => 'index.php?turnout_page=plans',
	'^plans/([A-Za-z0-9_-]{1,64})/?$' => 'index.php?turnout_page=plan&turnout_plan=$matches[1]',
	'^sign-up/?$'                   => 'index.php?turnout_page=sign-up',
);

add_action(
	'init',
	static function (): void {
		foreach ( REWRITE_RULES as $pattern => $target ) {
			add_rewrite_rule( $pattern, $target, 'top' );
		}
		$stored = get_option( 'rewrite_rules' );
		if ( is_array( $stored ) && array_diff_assoc( REWRITE_RULES, $stored ) ) {
			flush_rewrite_rules( false );
		}
	}
);
register_deactivation_hook( dirname( __DIR__ ) . '/turnout.php', static fn() => delete_option( 'rewrite_rules' ) );

add_filter( 'query_vars', static fn( array $names ): array => array( ...$names, 'turnout_page', 'turnout_plan' ) );

/** Which product page the main query asks for: `plans`, `plan`, `sign-up`, or an empty string. */
function product_page(): string {
	return (string) get_query_var( 'turnout_page' );
}

// A product page is no archive of posts: nothing to query, nothing to miss.
add_action(
	'parse_query',
	static function ( WP_Query $query ): void {
		if ( $query->is_main_query() && '' !== (string) $query->get( 'turnout_page' ) ) {
			$query->is_home = false;
		}
	}
);
add_filter( 'posts_pre_query', static fn( $posts, WP_Query $query ) => $query->is_main_query() && '' !== (string) $query->get( 'turnout_page' ) ? array() : $posts, 10, 2 );
add_filter( 'pre_handle_404', static fn( $handled, WP_Query $query ) => '' !== (string) $query->get( 'turnout_page' ) ? true : $handled, 10, 2 );

/**
 * Works out the page asked for: its status, title, template and the template's
 * arguments. Null is a page that does not exist.
 *
 * @return array{status: int, title: string, template: string, args: array<string, mixed>}|null
 */
function resolve_page( string $page, string $plan_id ): ?array {
	$plans = plans();
	if ( null === $plans ) {
		return array(
			'status'   => 503,
			'title'    => __( 'Back in a moment', 'turnout' ),
			'template' => 'unavailable',
			'args'     => array(),
		);
	}
	if ( 'plans' === $page ) {
		return array(
			'status'   => 200,
			'title'    => __( 'Plans', 'turnout' ),
			'template' => 'plans',
			'args'     => array( 'plans' => $plans ),
		);
	}
	if ( 'plan' === $page ) {
		$plan = find_plan( $plans, $plan_id );
		return null === $plan ? null : array(
			'status'   => 200,
			'title'    => $plan['name'],
			'template' => 'plan',
			'args'     => array( 'plan' => $plan ),
		);
	}
	if ( 'sign-up' === $page ) {
		[ $status, $args ] = sign_up( $plans );
		return array(
			'status'   => $status,
			'title'    => __( 'Sign up', 'turnout' ),
			'template' => 'sign-up',
			'args'     => $args,
		);
	}
	return null;
}

// After WordPress' own canonical redirect (10): /plans/ has become /plans.
add_action(
	'template_redirect',
	static function (): void {
		$name = product_page();
		if ( '' === $name ) {
			return;
		}
		$page = resolve_page( $name, (string) get_query_var( 'turnout_plan' ) );
		if ( null === $page ) {
			$GLOBALS['wp_query']->set_404();
			status_header( 404 );
			return;
		}
		status_header( $page['status'] );
		if ( 503 === $page['status'] ) {
			header( 'Retry-After: ' . PLANS_RETRY );
		}
		if ( 200 !== $page['status'] || 'POST' === ( $_SERVER['REQUEST_METHOD'] ?? 'GET' ) ) {
			header( 'Cache-Control: no-store' );
		}
		add_filter( 'document_title_parts', static fn( array $parts ): array => array( 'title' => $page['title'] ) + $parts );
		render( $page['template'], $page['args'] );
		exit;
	},
	20
);

/** The address that search engines are to know the page by; an empty string for none. */
function canonical_url(): string {
	$name = product_page();
	if ( '' === $name ) {
		return is_front_page() ? home_url( '/' ) : '';
	}
	return home_url( 'plan' === $name ? '/plans/' . get_query_var( 'turnout_plan' ) : '/' . $name );
}

// WordPress says it of posts and pages alone.
add_action(
	'wp_head',
	static function (): void {
		$url = is_404() || is_singular() ? '' : canonical_url();
		if ( '' !== $url && 200 === http_response_code() ) {
			echo '<link rel="canonical" href="' . esc_url( $url ) . '">' . "\n";
		}
	}
);

// Pages may be kept by a cache, but are asked for anew each time.
add_filter( 'wp_headers', static fn( array $headers ): array => $headers + array( 'Cache-Control' => 'no-cache' ) );
