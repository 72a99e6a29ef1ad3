<?php
/**
 * The page up to its own content.
 *
 * @package TernMobile
 */

namespace TernMobile;

$navigation = array(
	'/'        => __( 'Home', 'tern-mobile' ),
	'/plans'   => __( 'Plans', 'tern-mobile' ),
	'/sign-up' => __( 'Sign up', 'tern-mobile' ),
);
?>
<!doctype html>
<html lang="en" data-frontend="wordpress">
<head>
<meta charset="<?php bloginfo( 'charset' ); ?>">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="theme-color" content="#14284b">
<link rel="icon" href="<?php echo esc_url( wp_make_link_relative( get_theme_file_uri( 'assets/favicon.svg' ) ) ); ?>" type="image/svg+xml">
<?php wp_head(); ?>
</head>
<body <?php body_class(); ?>>
<?php wp_body_open(); ?>
<a class="skip-link" href="#content"><?php esc_html_e( 'Skip to content', 'tern-mobile' ); ?></a>
<header class="site-header">
	<div class="wrap site-header__inner">
		<a class="brand" href="<?php echo esc_url( path_to( '/' ) ); ?>" aria-label="<?php bloginfo( 'name' ); ?>">
			<?php get_template_part( 'parts/tern' ); ?>
			<span><?php bloginfo( 'name' ); ?></span>
		</a>
		<nav class="site-nav" aria-label="<?php esc_attr_e( 'Main', 'tern-mobile' ); ?>">
			<ul>
				<?php foreach ( $navigation as $path => $label ) : ?>
					<li><a href="<?php echo esc_url( path_to( $path ) ); ?>"<?php echo current_attribute( $path ); ?>><?php echo esc_html( $label ); ?></a></li>
				<?php endforeach; ?>
			</ul>
		</nav>
	</div>
</header>
<?php // The front page has bands as wide as the window, all others one column. ?>
<main id="content" tabindex="-1" class="<?php echo is_front_page() ? 'site-main--bands' : 'site-main wrap'; ?>">
