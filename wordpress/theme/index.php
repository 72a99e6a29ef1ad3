<?php
/**
 * Pages and posts that editors write, and lists of them.
 *
 * @package TernMobile
 */

namespace TernMobile;

get_header();
if ( ! is_singular() ) :
	?>
	<div class="page-head"><h1><?php echo esc_html( is_home() ? __( 'News', 'tern-mobile' ) : wp_strip_all_tags( get_the_archive_title() ) ); ?></h1></div>
	<?php
endif;
if ( ! have_posts() ) :
	?>
	<p><?php esc_html_e( 'Nothing here yet.', 'tern-mobile' ); ?></p>
	<?php
endif;
while ( have_posts() ) :
	the_post();
	?>
	<article <?php post_class( 'prose' ); ?>>
		<?php if ( is_singular() ) : ?>
			<h1><?php the_title(); ?></h1>
			<?php the_content(); ?>
		<?php else : ?>
			<h2><a href="<?php the_permalink(); ?>"><?php the_title(); ?></a></h2>
			<?php the_excerpt(); ?>
		<?php endif; ?>
	</article>
	<?php
endwhile;
the_posts_pagination();
get_footer();
