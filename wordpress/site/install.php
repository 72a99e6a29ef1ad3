<?php
/**
 * Sets the site up, and brings an older one up to date. Safe to run any number
 * of times: each step looks before it acts, and what editors have changed since
 * stays. Prints one word, `installed` or `ready`; anything else is a failure.
 *
 * TURNOUT_WORDPRESS_INSTALL_PASSWORD is the admin's password on a new site;
 * TURNOUT_WORDPRESS_NEW_PASSWORD, unless empty, becomes it on an old one.
 */

define( 'WP_INSTALLING', true );

// WordPress wants to know the address that it is asked by.
$_SERVER['HTTP_HOST']      ??= 'localhost:8080';
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
$_SERVER['REQUEST_METHOD']  = 'GET';
$_SERVER['REQUEST_URI']     = '/';
$_SERVER['PHP_SELF']        = '/index.php';

$turnout_host = getenv( 'TURNOUT_WORDPRESS_DB_HOST' );
if ( $turnout_host ) {
	// MySQL: WordPress makes its tables but not its database.
	mysqli_report( MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT );
	[ $turnout_name, $turnout_port ] = explode( ':', $turnout_host, 2 ) + array( 1 => '3306' );
	$turnout_mysql = new mysqli( $turnout_name, getenv( 'TURNOUT_WORDPRESS_DB_USER' ), (string) getenv( 'TURNOUT_WORDPRESS_DB_PASSWORD' ), null, (int) $turnout_port );
	$turnout_mysql->query( 'CREATE DATABASE IF NOT EXISTS `' . str_replace( '`', '``', getenv( 'TURNOUT_WORDPRESS_DB_NAME' ) ) . '` CHARACTER SET utf8mb4' );
	$turnout_mysql->close();
}

require __DIR__ . '/site/wp-load.php';

// The welcome mail has no reader.
add_filter( 'pre_wp_mail', '__return_true' );

$turnout_version  = 1;
$turnout_password = (string) getenv( 'TURNOUT_WORDPRESS_NEW_PASSWORD' );
$turnout_fresh    = ! is_blog_installed();

if ( $turnout_fresh ) {
	require_once ABSPATH . 'wp-admin/includes/upgrade.php';
	wp_install( 'Tern Mobile', 'admin', 'admin@tern.example', true, '', wp_slash( (string) getenv( 'TURNOUT_WORDPRESS_INSTALL_PASSWORD' ) ), 'en_US' );
	update_option( 'turnout_site_version', 0 );
} elseif ( false === get_option( 'turnout_site_version' ) ) {
	// The steps below would take somebody's site apart.
	echo 'the database `', DB_NAME, '` holds a WordPress site that was not set up here; name an empty database';
	exit;
} elseif ( '' !== $turnout_password ) {
	$turnout_admin = get_user_by( 'login', 'admin' );
	if ( $turnout_admin && ! wp_check_password( $turnout_password, $turnout_admin->user_pass, $turnout_admin->ID ) ) {
		wp_set_password( $turnout_password, $turnout_admin->ID );
	}
}

// From here on options are cached again.
wp_installing( false );

if ( (int) get_option( 'turnout_site_version' ) < $turnout_version ) {
	// WordPress greets with a post, a page, a draft policy and a comment.
	foreach ( get_posts( array( 'post_type' => array( 'post', 'page' ), 'post_status' => 'any', 'numberposts' => -1 ) ) as $turnout_post ) {
		wp_delete_post( $turnout_post->ID, true );
	}
	$turnout_home = wp_insert_post(
		array(
			'post_type'    => 'page',
			'post_status'  => 'publish',
			'post_title'   => 'A network that goes where you go.',
			'post_name'    => 'home',
			'post_excerpt' => 'Simple monthly plans, fair prices and data that travels with you. No small print, no surprises on the bill.',
		)
	);
	foreach (
		array(
			'siteurl'                => 'http://localhost:8080',
			'home'                   => 'http://localhost:8080',
			'blogname'               => 'Tern Mobile',
			'blogdescription'        => 'Goes where you go.',
			'show_on_front'          => 'page',
			'page_on_front'          => $turnout_home,
			'permalink_structure'    => '/%postname%',
			'default_comment_status' => 'closed',
			'default_ping_status'    => 'closed',
			'default_pingback_flag'  => 0,
			'show_avatars'           => 0,
			'timezone_string'        => 'UTC',
			'wp_page_for_privacy_policy' => 0,
			// Looked up on each page: here they come with all other options in one
			// query, missing each would cost a query.
			'WPLANG'                 => '',
			'site_logo'              => 0,
			'can_compress_scripts'   => 0,
		) as $turnout_option => $turnout_value
	) {
		update_option( $turnout_option, $turnout_value );
	}
	switch_theme( 'tern-mobile' );
	require_once ABSPATH . 'wp-admin/includes/plugin.php';
	$turnout_error = activate_plugin( 'turnout/turnout.php' );
	if ( is_wp_error( $turnout_error ) ) {
		echo 'plugin: ', esc_html( $turnout_error->get_error_message() );
		exit( 1 );
	}
	update_option( 'turnout_site_version', $turnout_version );
}

echo $turnout_fresh ? 'installed' : 'ready';
