<?php
/**
 * The theme's settings. Pages carry our stylesheet and nothing else: no scripts,
 * no emoji or embed code, nothing from another host.
 *
 * @package TernMobile
 */

namespace TernMobile;

add_action(
	'after_setup_theme',
	static function (): void {
		add_theme_support( 'title-tag' );
		add_theme_support( 'automatic-feed-links' );
		add_theme_support( 'html5', array( 'search-form', 'style', 'script' ) );
		add_post_type_support( 'page', 'excerpt' );
		// Only the styles of blocks that a page has.
		add_filter( 'should_load_separate_core_block_assets', '__return_true' );
	}
);

add_action(
	'wp_enqueue_scripts',
	static function (): void {
		// The file's time as its version: an edit shows on reload, and browsers keep
		// the rest for good.
		wp_enqueue_style( 'tern-mobile', get_stylesheet_uri(), array(), (string) filemtime( get_stylesheet_directory() . '/style.css' ) );
		if ( ! is_singular() || ! has_blocks() ) {
			wp_dequeue_style( 'wp-block-library' );
		}
		wp_dequeue_style( 'global-styles' );
		wp_dequeue_style( 'classic-theme-styles' );
	},
	20
);

remove_action( 'wp_head', 'print_emoji_detection_script', 7 );
remove_action( 'wp_print_styles', 'print_emoji_styles' );
remove_action( 'wp_enqueue_scripts', 'wp_enqueue_emoji_styles' );
remove_action( 'wp_head', 'wp_generator' );
remove_action( 'wp_head', 'rsd_link' );
remove_action( 'wp_head', 'wlwmanifest_link' );
remove_action( 'wp_head', 'wp_shortlink_wp_head' );
remove_action( 'wp_head', 'rest_output_link_wp_head' );
remove_action( 'wp_head', 'wp_oembed_add_discovery_links' );
remove_action( 'wp_head', 'wp_oembed_add_host_js' );
remove_action( 'wp_head', 'wp_resource_hints', 2 );
remove_action( 'template_redirect', 'rest_output_link_header', 11 );
remove_action( 'template_redirect', 'wp_shortlink_header', 11 );
remove_action( 'wp_body_open', 'wp_global_styles_render_svg_filters' );
remove_action( 'wp_footer', 'the_block_template_skip_link' );
add_filter( 'the_generator', '__return_empty_string' );
add_filter( 'emoji_svg_url', '__return_false' );
add_filter( 'feed_links_show_comments_feed', '__return_false' );
add_filter( 'document_title_separator', static fn(): string => '–' );

// A browser that asks for /favicon.ico gets ours, not WordPress' own.
add_action(
	'do_faviconico',
	static function (): void {
		wp_safe_redirect( get_theme_file_uri( 'assets/favicon.svg' ) );
		exit;
	}
);

// The log-in page and the dashboard have heads of their own.
$print_icon = static function (): void {
	$icon = wp_make_link_relative( get_theme_file_uri( 'assets/favicon.svg' ) );
	printf( "<link rel=\"icon\" href=\"%s\" type=\"image/svg+xml\">\n", esc_url( $icon ) );
};
add_action( 'login_head', $print_icon );
add_action( 'admin_head', $print_icon );

/** Path of a page of this site, without its host: `/plans`, or `/wordpress/plans` where the site is shown there. */
function path_to( string $path ): string {
	return wp_make_link_relative( home_url( $path ) );
}

/** Attribute that marks the link to a path as the page being served, or as the part of the site that it is in. */
function current_attribute( string $path ): string {
	$here   = untrailingslashit( (string) wp_parse_url( (string) ( $_SERVER['REQUEST_URI'] ?? '' ), PHP_URL_PATH ) );
	$target = untrailingslashit( path_to( $path ) );
	if ( $here === $target ) {
		return ' aria-current="page"';
	}
	return '/' !== $path && str_starts_with( $here, $target . '/' ) ? ' aria-current="true"' : '';
}
